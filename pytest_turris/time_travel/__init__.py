"""What moves the process' time: the engines, and sleeps that pass without being slept."""
