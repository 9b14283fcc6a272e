//! `Serialize` and `Deserialize` for values that check what they read; the others derive them.

use crate::autograd::Param;
use crate::generator::Generator;
use crate::kernel::base::dims::count;
use crate::optim::{Slot, State};
use crate::tensor::{Float, Tensor};
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::collections::BTreeMap;

/// The shape, and the elements in row-major order. A number that is not finite has no place in JSON, where it becomes `null`.
impl<T: Float + Serialize> Serialize for Tensor<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Tensor", 2)?;
        fields.serialize_field("shape", self.shape())?;
        fields.serialize_field("elements", self.as_slice())?;
        fields.end()
    }
}

impl<'de, T: Float + Deserialize<'de>> Deserialize<'de> for Tensor<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename = "Tensor")]
        struct Fields<T> {
            shape: Vec<usize>,
            elements: Vec<T>,
        }
        let Fields { shape, elements } = Fields::deserialize(deserializer)?;
        match count(&shape) == Some(elements.len()) {
            true => Ok(Tensor::from_vec(elements, shape)),
            false => Err(D::Error::custom(format!("{} elements do not fit shape {shape:?}", elements.len()))),
        }
    }
}

/// The value, and whether it is trained. A model's parameters by path are `BTreeMap::from_iter(model.parameters())`.
impl<T: Float + Serialize> Serialize for Param<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Param", 2)?;
        fields.serialize_field("value", self.value())?;
        fields.serialize_field("trainable", &self.is_trainable())?;
        fields.end()
    }
}

/// A parameter of its own, as by [`Param::new`] or [`Param::buffer`].
impl<'de, T: Float + Deserialize<'de>> Deserialize<'de> for Param<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename = "Param", bound = "T: Float + Deserialize<'de>")]
        struct Fields<T: Float> {
            value: Tensor<T>,
            trainable: bool,
        }
        let Fields { value, trainable } = Fields::deserialize(deserializer)?;
        Ok(if trainable { Param::new(value) } else { Param::buffer(value) })
    }
}

/// The slots by the paths of their parameters.
impl<T: Float + Serialize> Serialize for State<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, T: Float + Deserialize<'de>> Deserialize<'de> for State<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut state = State::new();
        for (path, slot) in BTreeMap::<String, Slot<T>>::deserialize(deserializer)? {
            state.insert(&path, slot);
        }
        Ok(state)
    }
}

/// Four numbers.
impl Serialize for Generator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.state().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Generator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match <[u64; 4]>::deserialize(deserializer)? {
            [0, 0, 0, 0] => Err(D::Error::custom("four zeros are no state of a generator")),
            state => Ok(Generator::from_state(state)),
        }
    }
}
