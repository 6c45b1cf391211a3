"""Search for words in messages: the index, the engines that answer from it, and the search itself."""
