"""The runs of a folder in a browser on this machine: lays out what others compute."""
