//! What must hold for every operation whatever the shapes: over random shapes, settings and values, with fixed seeds.

mod adjoint;
mod draw;
mod jacobian;
mod pieces;
mod table;
