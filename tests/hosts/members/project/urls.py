from byro.urls import urlpatterns  # noqa: F401 - the site
