"""`riser prove`: every proof there is, as much of each as the time allows, with what was found."""
