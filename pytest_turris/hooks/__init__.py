"""pytest plugins that watch a whole run; registered when needed."""
