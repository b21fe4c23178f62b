//! Reads a [`Value`] into the structs of the language, keeping the place of every error.

use indexmap::IndexMap;
use serde::de::value::{StrDeserializer, StringDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::document::{Data, Field, Location, Value};
use super::problem::Problem;

/// Reads one value.
///
/// # Errors
/// The first thing that does not fit, with its place.
pub fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Problem> {
    T::deserialize(value).map_err(|problem| problem.placed(value))
}

impl<'de> Deserializer<'de> for &'de Value {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match &self.data {
            Data::Table(fields) => visitor.visit_map(Fields {
                rest: fields.iter(),
                but: None,
                value: None,
                at: self.at,
            }),
            Data::List(values) => visitor.visit_seq(Elements { rest: values.iter() }),
            Data::Text(text) => visitor.visit_borrowed_str(text),
            Data::Integer(integer) => match u64::try_from(*integer) {
                Ok(positive) => visitor.visit_u64(positive),
                Err(_) => visitor.visit_i64(*integer),
            },
            Data::Float(float) => visitor.visit_f64(*float),
            Data::Boolean(boolean) => visitor.visit_bool(*boolean),
        }
        .map_err(|problem| problem.at(self.at))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let choice = Choice::of(self, variants)?;
        visitor.visit_enum(choice).map_err(|problem| problem.at(self.at))
    }

    /// A struct is a table with names, never a list in the order of its fields.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        match &self.data {
            Data::List(_) => Err(Problem::invalid_type(Unexpected::Seq, &visitor).at(self.at)),
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Fields<'de> {
    rest: indexmap::map::Iter<'de, String, Field>,
    /// The key that has been read already.
    but: Option<&'static str>,
    value: Option<&'de Value>,
    at: Location,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Problem> {
        let Some((key, key_at)) = self.next_key() else { return Ok(None) };
        let key: StrDeserializer<'_, Problem> = key.into_deserializer();
        seed.deserialize(key).map(Some).map_err(|problem| problem.at(key_at))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Problem> {
        let value = self.take_value()?;
        seed.deserialize(value).map_err(|problem| problem.placed(value))
    }
}

impl<'de> Fields<'de> {
    /// The value of the key that was read last.
    fn take_value(&mut self) -> Result<&'de Value, Problem> {
        self.value.take().ok_or_else(|| Problem::new("a value without a key").at(self.at))
    }

    /// The next key that is left, and where its value is.
    fn next_key(&mut self) -> Option<(&'de str, Location)> {
        let but = self.but;
        let is_left = |(key, _): &(&String, &Field)| but != Some(key.as_str());
        let (key, field) = self.rest.find(is_left)?;
        self.value = Some(&field.value);
        Some((key, field.key_at))
    }
}

struct Elements<'de> {
    rest: std::slice::Iter<'de, Value>,
}

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Problem> {
        let Some(value) = self.rest.next() else { return Ok(None) };
        seed.deserialize(value).map(Some).map_err(|problem| problem.at(value.at))
    }
}

/// The key that names a choice whose own keys stand beside it.
const KIND: &str = "kind";

/// A name of a closed set: alone, as the one key of a table, or as the `kind` of one.
struct Choice<'de> {
    name: &'de str,
    key_at: Location,
    /// What belongs to it.
    value: Option<&'de Value>,
    /// The key of that which is no more to be read.
    but: Option<&'static str>,
}

/// A table without one of its keys.
struct Rest<'de> {
    value: &'de Value,
    but: &'static str,
}

impl<'de> Deserializer<'de> for Rest<'de> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let Rest { value, but } = self;
        let Data::Table(fields) = &value.data else { return value.deserialize_any(visitor) };
        let fields = Fields { rest: fields.iter(), but: Some(but), value: None, at: value.at };
        visitor.visit_map(fields).map_err(|problem| problem.at(value.at))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit option
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> EnumAccess<'de> for Choice<'de> {
    type Error = Problem;
    type Variant = Choice<'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Choice<'de>), Problem> {
        let name: StringDeserializer<Problem> = self.name.to_owned().into_deserializer();
        let variant = seed.deserialize(name).map_err(|problem| problem.at(self.key_at))?;
        Ok((variant, self))
    }
}

impl<'de> Choice<'de> {
    /// The choice that a value makes. Apart from [`Deserializer::deserialize_enum`] it is compiled
    /// once, not for every enum.
    fn of(value: &'de Value, variants: &[&str]) -> Result<Choice<'de>, Problem> {
        Ok(match &value.data {
            Data::Text(text) => Choice { name: text, key_at: value.at, value: None, but: None },
            Data::Table(fields) if !variants.contains(&KIND) && fields.contains_key(KIND) => {
                let kind = &fields[KIND].value;
                let Data::Text(name) = &kind.data else {
                    let found = kind.data.describe();
                    return Err(Problem::new(format!("expected a choice, found {found}"))
                        .expected(format!("one of: {}", variants.join(", ")))
                        .at(kind.at));
                };
                Choice { name, key_at: kind.at, value: Some(value), but: Some(KIND) }
            }
            Data::Table(fields) if fields.len() == 1 => {
                let (name, field) = fields.get_index(0).expect("one field");
                Choice { name, key_at: field.key_at, value: Some(&field.value), but: None }
            }
            Data::Table(fields) => {
                let count = fields.len();
                return Err(Problem::new(format!("expected one choice, found {count}"))
                    .expected(format!("a table with one key of: {}", variants.join(", ")))
                    .at(value.at));
            }
            other => {
                let known = variants.join(", ");
                return Err(Problem::new(format!("expected a choice, found {}", other.describe()))
                    .expected(format!("one of: {known}"))
                    .at(value.at));
            }
        })
    }

    fn needs_value(&self) -> Problem {
        Problem::new(format!("`{}` needs a value", self.name))
            .expected(format!("{{ {} = … }}", self.name))
            .at(self.key_at)
    }
}

impl<'de> VariantAccess<'de> for Choice<'de> {
    type Error = Problem;

    fn unit_variant(self) -> Result<(), Problem> {
        let Some(value) = self.value else { return Ok(()) };
        match (&value.data, self.but) {
            (Data::Boolean(true), _) => Ok(()),
            (Data::Table(fields), Some(but)) => match fields.iter().find(|(key, _)| *key != but) {
                None => Ok(()),
                Some((key, field)) => {
                    Err(Problem::new(format!("`{key}` means nothing for `{}`", self.name))
                        .expected("the kind alone")
                        .at(field.key_at))
                }
            },
            _ => Err(Problem::new(format!("`{}` takes no value", self.name))
                .expected(format!("\"{}\" alone", self.name))
                .at(value.at)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Problem> {
        let value = self.value.ok_or_else(|| self.needs_value())?;
        match self.but {
            Some(but) => seed.deserialize(Rest { value, but }),
            None => seed.deserialize(value),
        }
        .map_err(|problem| problem.placed(value))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Problem> {
        let value = self.value.ok_or_else(|| self.needs_value())?;
        value.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let value = self.value.ok_or_else(|| self.needs_value())?;
        match self.but {
            Some(but) => Rest { value, but }.deserialize_any(visitor),
            None => value.deserialize_struct("", fields, visitor),
        }
    }
}

/// Reads a table of named things one by one, so that an error in one does not hide the others.
pub fn read_each<T: DeserializeOwned>(
    value: Option<&Value>,
    problems: &mut Vec<Problem>,
) -> IndexMap<String, T> {
    read_each_by(value, problems, read)
}

/// As [`read_each`], of things that are more than what serde reads.
pub(super) fn read_each_by<T>(
    value: Option<&Value>,
    problems: &mut Vec<Problem>,
    read: fn(&Value) -> Result<T, Problem>,
) -> IndexMap<String, T> {
    let mut things = IndexMap::new();
    let Some(value) = value else { return things };
    let Data::Table(fields) = &value.data else {
        problems.push(
            Problem::invalid_type(
                Unexpected::Other(value.data.describe()),
                &"a table of names: a table with a name for each",
            )
            .at(value.at),
        );
        return things;
    };
    for (name, field) in fields {
        match read(&field.value) {
            Ok(thing) => {
                things.insert(name.clone(), thing);
            }
            Err(problem) => problems.push(problem),
        }
    }
    things
}
