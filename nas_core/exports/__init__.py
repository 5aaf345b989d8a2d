"""What leaves NASight: one candidate as a model that runs without it, and a run as tables and other tools' files."""
