//! The shape that a document must have, read once from the JSON Schema that is generated from the configuration's
//! types. So a field is described in one place, and the editor, the schema and [`check`] cannot disagree.

use std::{collections::HashMap, sync::LazyLock};

use serde_json::Value;

pub(crate) mod check;
pub(crate) mod words;

/// A shape in [`Shapes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id(usize);

/// What a value must look like.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Text,
    Bool,
    /// A whole number in this range.
    Integer(i128, i128),
    /// A share in percent: a decimal from 0 to 100 with at most two places.
    Percent,
    List(Id),
    /// Any keys, all values of one shape.
    Map(Id),
    Record(Vec<Field>),
    /// One of these words, or a map with exactly one of these fields.
    Choice(Vec<String>, Vec<Field>),
    /// Anything; only for schemas that say so.
    Any,
}

/// A field of a record or a choice.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) shape: Id,
    pub(crate) required: bool,
}

/// The shapes of a document.
#[derive(Debug)]
pub(crate) struct Shapes {
    shapes: Vec<Shape>,
    pub(crate) root: Id,
}

impl Shapes {
    /// The shapes of a configuration.
    pub(crate) fn of_config() -> &'static Self {
        static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
            let schema = serde_json::from_str(crate::schema::json_schema()).unwrap_or_default();
            Shapes::lower(&schema)
        });
        &SHAPES
    }

    pub(crate) fn get(&self, id: Id) -> &Shape {
        self.shapes.get(id.0).unwrap_or(&Shape::Any)
    }

    fn lower(schema: &Value) -> Self {
        let mut lowering = Lowering { definitions: &schema["definitions"], named: HashMap::new(), shapes: Vec::new() };
        let root = lowering.shape(schema);
        Self { shapes: lowering.shapes, root }
    }
}

struct Lowering<'s> {
    definitions: &'s Value,
    named: HashMap<&'s str, Id>,
    shapes: Vec<Shape>,
}

impl<'s> Lowering<'s> {
    fn shape(&mut self, schema: &'s Value) -> Id {
        let inner = schema["allOf"].get(0).unwrap_or(schema);
        let Some(name) = inner["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) else { return self.inline(schema) };
        if let Some(id) = self.named.get(name) {
            return *id;
        }
        // The name stands for its shape before the shape is known: conditions hold conditions.
        let id = self.room();
        self.named.insert(name, id);
        let definitions = self.definitions;
        let shape = self.read(&definitions[name]);
        self.fill(id, shape);
        id
    }

    fn inline(&mut self, schema: &'s Value) -> Id {
        let id = self.room();
        let shape = self.read(schema);
        self.fill(id, shape);
        id
    }

    fn room(&mut self) -> Id {
        self.shapes.push(Shape::Any);
        Id(self.shapes.len() - 1)
    }

    fn fill(&mut self, id: Id, shape: Shape) {
        if let Some(room) = self.shapes.get_mut(id.0) {
            *room = shape;
        }
    }

    fn read(&mut self, schema: &'s Value) -> Shape {
        if let Some(variants) = schema["oneOf"].as_array() {
            let words = variants.iter().flat_map(words).collect();
            let fields = variants.iter().flat_map(|variant| self.fields(variant)).collect();
            return Shape::Choice(words, fields);
        }
        match schema["type"].as_str() {
            Some("string") => match words(schema) {
                words if words.is_empty() => Shape::Text,
                words => Shape::Choice(words, Vec::new()),
            },
            Some("boolean") => Shape::Bool,
            // The range is that of the type; narrower ones are checked with everything else that compiling checks.
            Some("integer") => match schema["format"].as_str() {
                Some("int64") => Shape::Integer(i64::MIN.into(), i64::MAX.into()),
                _ => Shape::Integer(0, u32::MAX.into()),
            },
            Some("number") => Shape::Percent,
            Some("array") => Shape::List(self.shape(&schema["items"])),
            Some("object") if schema["properties"].is_object() => Shape::Record(self.fields(schema)),
            Some("object") => Shape::Map(self.shape(&schema["additionalProperties"])),
            _ => Shape::Any,
        }
    }

    fn fields(&mut self, schema: &'s Value) -> Vec<Field> {
        let required = |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name));
        let properties = schema["properties"].as_object().into_iter().flatten();
        properties.map(|(name, property)| Field { name: name.clone(), shape: self.shape(property), required: required(name) }).collect()
    }
}

/// The words that a schema allows.
fn words(schema: &Value) -> Vec<String> {
    let listed = schema["enum"].as_array().into_iter().flatten();
    listed.chain(schema.get("const")).filter_map(|word| word.as_str().map(String::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field<'s>(shapes: &'s Shapes, shape: &'s Shape, name: &str) -> Option<&'s Shape> {
        let (Shape::Record(fields) | Shape::Choice(_, fields)) = shape else { return None };
        fields.iter().find(|field| field.name == name).map(|field| shapes.get(field.shape))
    }

    #[test]
    fn every_shape_of_a_configuration_is_understood() {
        let shapes = Shapes::of_config();
        assert!(shapes.shapes.len() > 30);
        assert!(!shapes.shapes.iter().any(|shape| matches!(shape, Shape::Any)));
    }

    #[test]
    fn shapes_are_those_of_the_types() {
        let shapes = Shapes::of_config();
        let root = shapes.get(shapes.root);
        let Some(Shape::List(group)) = field(shapes, root, "groups") else { unreachable!("groups are a list") };
        let group = shapes.get(*group);
        assert!(matches!(field(shapes, group, "name"), Some(Shape::Text)));
        assert!(matches!(field(shapes, group, "keep_lane"), Some(Shape::Bool)));
        assert!(
            matches!(field(shapes, group, "mode"), Some(Shape::Choice(words, fields)) if words == &["strict", "permissive"] && fields.is_empty())
        );
        assert!(matches!(field(shapes, group, "context"), Some(Shape::Choice(words, fields)) if words == &["header"] && fields.len() == 2));
    }
}
