//! Thrift structs in the compact protocol, as far as Parquet's metadata needs it.
//!
//! Specification: `doc/specs/thrift-compact-protocol.md` of <https://github.com/apache/thrift>.

/// Types of fields.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const I8: u8 = 3;
const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// A struct whose fields are added in the order of their numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Struct {
    bytes: Vec<u8>,
    last: u8,
}

impl Struct {
    /// The header of a field: how far its number is from the last one, and its type.
    fn field(&mut self, number: u8, kind: u8) {
        assert!(number > self.last && number - self.last < 16, "fields come in order");
        self.bytes.push((number - self.last) << 4 | kind);
        self.last = number;
    }

    pub(super) fn bool(&mut self, number: u8, value: bool) {
        self.field(number, if value { TRUE } else { FALSE });
    }

    pub(super) fn i8(&mut self, number: u8, value: u8) {
        self.field(number, I8);
        self.bytes.push(value);
    }

    pub(super) fn i32(&mut self, number: u8, value: i64) {
        self.field(number, I32);
        varint(zigzag(value), &mut self.bytes);
    }

    pub(super) fn i64(&mut self, number: u8, value: i64) {
        self.field(number, I64);
        varint(zigzag(value), &mut self.bytes);
    }

    pub(super) fn text(&mut self, number: u8, text: &str) {
        self.field(number, BINARY);
        binary(text, &mut self.bytes);
    }

    pub(super) fn structure(&mut self, number: u8, value: Struct) {
        self.field(number, STRUCT);
        self.bytes.extend(value.into_bytes());
    }

    pub(super) fn i32s(&mut self, number: u8, values: &[i64]) {
        self.list(number, I32, values.len());
        for &value in values {
            varint(zigzag(value), &mut self.bytes);
        }
    }

    pub(super) fn texts(&mut self, number: u8, texts: &[&str]) {
        self.list(number, BINARY, texts.len());
        for text in texts {
            binary(text, &mut self.bytes);
        }
    }

    pub(super) fn structs(&mut self, number: u8, values: Vec<Struct>) {
        self.list(number, STRUCT, values.len());
        self.bytes.extend(values.into_iter().flat_map(Struct::into_bytes));
    }

    /// The header of a list: lengths below 15 share a byte with the type.
    fn list(&mut self, number: u8, kind: u8, length: usize) {
        self.field(number, LIST);
        if length < 15 {
            self.bytes.push((length as u8) << 4 | kind);
        } else {
            self.bytes.push(0xf0 | kind);
            varint(length as u64, &mut self.bytes);
        }
    }

    /// The struct with its end.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

fn binary(text: &str, bytes: &mut Vec<u8>) {
    varint(text.len() as u64, bytes);
    bytes.extend_from_slice(text.as_bytes());
}

/// Small numbers of either sign become small numbers without one.
fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

/// Seven bits a byte, lowest first; all bytes but the last have the highest bit set (ULEB128).
pub(super) fn varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
