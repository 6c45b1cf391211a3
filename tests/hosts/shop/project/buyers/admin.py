"""Oscar's own admin pages look for users by this."""

from django.contrib import admin

from project.buyers.models import Buyer


@admin.register(Buyer)
class BuyerAdmin(admin.ModelAdmin):
    search_fields = ("email",)
