//! Operations that move elements: shapes, slices, joining, and lookups by index.

pub(crate) mod concat;
pub(crate) mod diagonal;
pub(crate) mod embedding;
pub(crate) mod gather;
pub(crate) mod layout;
pub(crate) mod slice;
