"""What other rules would have done with the messages of the past, before anybody switches them on."""
