"""What people say of themselves and of those they act for: parts A and B of the form of QĐ 831,
without drug use."""
