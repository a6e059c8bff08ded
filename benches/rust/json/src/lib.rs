//! Only the bench beside this package counts.
