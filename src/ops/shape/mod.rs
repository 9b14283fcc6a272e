//! Operations that rearrange elements: reshaping, slicing, joining and indexing.

pub(crate) mod concat;
pub(crate) mod diagonal;
pub(crate) mod embedding;
pub(crate) mod gather;
pub(crate) mod layout;
pub(crate) mod slice;
mod sort;
