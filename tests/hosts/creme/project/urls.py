from creme.urls import *  # noqa: F403 - its addresses and handlers
