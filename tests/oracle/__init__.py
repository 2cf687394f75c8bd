"""What the outputs should be, written a second time in plain Python, and random histories to compare against it.

Nothing here imports the project: the only thing the two have in common is the contract.
"""
