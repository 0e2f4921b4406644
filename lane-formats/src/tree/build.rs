//! Hands a tree to serde, after its shape was checked. Numbers come as integers where they are such; a map may be an
//! enum's variant with its content, as serde's external tagging writes it.

use std::fmt;

use lane_core::config::Hundredths;
use serde::{
    Deserializer,
    de::{
        self, DeserializeSeed, EnumAccess, IntoDeserializer, VariantAccess, Visitor,
        value::{BorrowedStrDeserializer, MapDeserializer, SeqDeserializer, StrDeserializer},
    },
};

use super::{Node, Value, plain_number};

/// Why a tree could not be built into data; only if its shape was not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BuildError(pub(crate) String);

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BuildError {}

impl de::Error for BuildError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl<'de> IntoDeserializer<'de, BuildError> for &'de Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = BuildError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BuildError> {
        match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(written) => {
                let number = plain_number(written);
                if let Ok(number) = number.parse() {
                    return visitor.visit_u64(number);
                }
                if let Ok(number) = number.parse() {
                    return visitor.visit_i64(number);
                }
                // Other numbers are shares in percent; they are read as such, for decimals in general take much code.
                let share = Hundredths::parse(&number).ok_or_else(|| self.unfit())?;
                visitor.visit_f64(f64::from(share.0) / 100.0)
            }
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(nodes) => visitor.visit_seq(SeqDeserializer::new(nodes.iter())),
            Value::Map(entries) => visitor.visit_map(MapDeserializer::new(entries.iter().map(|entry| (&*entry.key.text, &entry.value)))),
            Value::Refused(refusal) => Err(BuildError(refusal.message.clone())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BuildError> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, BuildError> {
        match &self.value {
            Value::Text(word) => visitor.visit_enum(StrDeserializer::new(word)),
            Value::Map(entries) => match &**entries {
                [entry] => visitor.visit_enum(Variant { name: &entry.key.text, content: &entry.value }),
                _ => Err(de::Error::custom("expected a map with one field")),
            },
            _ => Err(de::Error::custom("expected a word or a map with one field")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, BuildError> {
        visitor.visit_newtype_struct(self)
    }

    // A type that says what it wants gets that and nothing else: were all of them sent to `deserialize_any`, every
    // type would be compiled for values of every kind, which is a tenth of the engine's size in a browser.

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BuildError> {
        match self.value {
            Value::Bool(value) => visitor.visit_bool(value),
            _ => Err(self.unfit()),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BuildError> {
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BuildError> {
        visitor.visit_u32(self.number()?)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BuildError> {
        visitor.visit_i64(self.number()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BuildError> {
        match &self.value {
            Value::Text(text) => visitor.visit_borrowed_str(text),
            _ => Err(self.unfit()),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BuildError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BuildError> {
        match &self.value {
            Value::List(nodes) => visitor.visit_seq(SeqDeserializer::new(nodes.iter())),
            _ => Err(self.unfit()),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BuildError> {
        match &self.value {
            Value::Map(entries) => visitor.visit_map(MapDeserializer::new(entries.iter().map(|entry| (&*entry.key.text, &entry.value)))),
            _ => Err(self.unfit()),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, BuildError> {
        self.deserialize_map(visitor)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

impl Node {
    /// That the value is of another kind than is wanted; the shape was not checked.
    fn unfit(&self) -> BuildError {
        BuildError(match &self.value {
            Value::Refused(refusal) => refusal.message.clone(),
            _ => String::from("the value is of another kind"),
        })
    }

    fn number<T: std::str::FromStr>(&self) -> Result<T, BuildError> {
        match &self.value {
            Value::Number(written) => plain_number(written).parse().map_err(|_| self.unfit()),
            _ => Err(self.unfit()),
        }
    }
}

/// An enum's variant and its content.
struct Variant<'de> {
    name: &'de str,
    content: &'de Node,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = BuildError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), BuildError> {
        let name = seed.deserialize(BorrowedStrDeserializer::new(self.name))?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = BuildError;

    fn unit_variant(self) -> Result<(), BuildError> {
        Err(de::Error::custom("expected a word"))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, BuildError> {
        seed.deserialize(self.content)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, BuildError> {
        self.content.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, BuildError> {
        self.content.deserialize_any(visitor)
    }
}
