"""What stores are owed, and how they are paid."""
