"""What `autodc doctor` looks at: this machine, its clock and disks, what is installed, Ray and MLflow."""
