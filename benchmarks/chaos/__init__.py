"""The fault suite, `make chaos`: runs are killed and disks torn, and what comes of it is compared with calm ones."""
