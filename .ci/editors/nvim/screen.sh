say "-- screen"
