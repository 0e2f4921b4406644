//! Hands a tree to serde, after its shape was checked. Numbers come as integers where they are such; a map may be an
//! enum's variant with its content, as serde's external tagging writes it.

use std::fmt;

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
                visitor.visit_f64(number.parse().map_err(de::Error::custom)?)
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

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
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
