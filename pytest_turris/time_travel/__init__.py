"""What moves the process's time: the engines, and sleeps that pass without being slept."""
