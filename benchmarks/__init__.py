"""Our estimators beside other packages': speed, agreement and memory, measured in one run."""
