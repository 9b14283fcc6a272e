//! [`Module`] for lists, maps, options, boxes and tuples of modules.

use super::{Module, Path};
use crate::autograd::Param;
use crate::tensor::Float;
use std::collections::BTreeMap;

/// Implements [`Module`] for a container, given the iterators over its names and modules for `&self` and `&mut self`.
macro_rules! container {
    ([$($generics:tt)*] $container:ty, $kind:literal, |$modules:ident| $shared:expr, $exclusive:expr) => {
        impl<T: Float, $($generics)*> Module<T> for $container {
            fn kind(&self) -> &'static str {
                $kind
            }
            fn visit<'a>(&'a self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a Param<T>)) {
                let $modules = self;
                for (name, module) in $shared {
                    path.step(name, $kind, |path| module.visit(path, f));
                }
            }
            fn visit_mut<'a>(&'a mut self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a mut Param<T>)) {
                let $modules = self;
                for (name, module) in $exclusive {
                    path.step(name, $kind, |path| module.visit_mut(path, f));
                }
            }
        }
    };
}
container!([M: Module<T>] [M], "slice", |all| all.iter().enumerate(), all.iter_mut().enumerate());
container!([M: Module<T>] Vec<M>, "Vec", |all| all.iter().enumerate(), all.iter_mut().enumerate());
container!([M: Module<T>, const N: usize] [M; N], "array", |all| all.iter().enumerate(), all.iter_mut().enumerate());
container!(
    [K: AsRef<str>, M: Module<T>] BTreeMap<K, M>, "BTreeMap",
    |all| all.iter().map(|(key, module)| (key.as_ref(), module)),
    all.iter_mut().map(|(key, module)| (key.as_ref(), module))
);

impl<T: Float, M: Module<T>> Module<T> for Option<M> {
    fn kind(&self) -> &'static str {
        self.as_ref().map_or("None", M::kind)
    }
    fn visit<'a>(&'a self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a Param<T>)) {
        self.iter().for_each(|module| module.visit(path, f));
    }
    fn visit_mut<'a>(&'a mut self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a mut Param<T>)) {
        self.iter_mut().for_each(|module| module.visit_mut(path, f));
    }
}

impl<T: Float, M: Module<T> + ?Sized> Module<T> for Box<M> {
    fn kind(&self) -> &'static str {
        (**self).kind()
    }
    fn visit<'a>(&'a self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a Param<T>)) {
        (**self).visit(path, f);
    }
    fn visit_mut<'a>(&'a mut self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a mut Param<T>)) {
        (**self).visit_mut(path, f);
    }
}

/// Calls a macro with the given element names of a tuple, then with all but the first, and so on down to a single one.
macro_rules! tuples {
    ($implement:ident:) => {};
    ($implement:ident: $first:ident $First:ident $(, $rest:ident $Rest:ident)*) => {
        $implement!($first $First $(, $rest $Rest)*);
        tuples!($implement: $($rest $Rest),*);
    };
}
pub(super) use tuples;

macro_rules! tuple {
    ($($module:ident $Module:ident),+) => {
        impl<T: Float, $($Module: Module<T>),+> Module<T> for ($($Module,)+) {
            fn kind(&self) -> &'static str {
                "tuple"
            }
            fn visit<'a>(&'a self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a Param<T>)) {
                let ($($module,)+) = self;
                let mut names = 0..;
                $(path.step(names.next().unwrap_or_default(), "tuple", |path| $module.visit(path, f));)+
            }
            fn visit_mut<'a>(&'a mut self, path: &mut Path, f: &mut dyn FnMut(&Path, &'a mut Param<T>)) {
                let ($($module,)+) = self;
                let mut names = 0..;
                $(path.step(names.next().unwrap_or_default(), "tuple", |path| $module.visit_mut(path, f));)+
            }
        }
    };
}
tuples!(tuple: a A, b B, c C, d D, e E, g G, h H, i I, j J, k K, l L, m M);
