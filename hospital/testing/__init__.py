"""What tests build with: people, places, bookings. Builders call actions, so a test cannot create
what the rules forbid. Not an area: no models, on no floor."""
