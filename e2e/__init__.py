"""What runs CodeModels on a real cluster: the kind bring-up, the load driver and the end-to-end suite."""
