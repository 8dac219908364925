"""The agent beside the cameras and sensors: capture, detect, spool, publish."""
