//! Columns of one batch as the engine reads them: bytes by row, borrowed from Arrow's buffers. Text is never looked at
//! as `str` here, so a buffer that is not UTF-8 is just bytes.

use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryViewArray, PrimitiveArray,
    cast::AsArray,
    types::{
        ArrowDictionaryKeyType, BinaryType, ByteArrayType, Int8Type, Int16Type, Int32Type, Int64Type, LargeBinaryType, LargeUtf8Type,
        UInt8Type, UInt16Type, UInt32Type, UInt64Type, Utf8Type,
    },
};
use arrow_schema::{ArrowError, DataType};

/// Values of a column by row.
pub(super) enum Cells {
    /// The same in every row.
    Constant(Option<Vec<u8>>),
    /// Bytes between offsets of 32 bits.
    Small(Offsets<i32>),
    /// Bytes between offsets of 64 bits.
    Large(Offsets<i64>),
    /// Views into buffers.
    View(BinaryViewArray),
    /// Values by key; a key below zero is none.
    Dictionary(Vec<i64>, Box<Cells>),
}

/// An array of bytes taken apart, so that a row costs two loads.
pub(super) struct Offsets<O: arrow_buffer::ArrowNativeType> {
    array: ArrayRef,
    offsets: arrow_buffer::ScalarBuffer<O>,
    values: arrow_buffer::Buffer,
    has_nulls: bool,
}

/// Whether a column of this type can be read as text.
pub(super) fn is_text(kind: &DataType) -> bool {
    use DataType::{Binary, BinaryView, Dictionary, LargeBinary, LargeUtf8, Null, Utf8, Utf8View};
    match kind {
        Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView | Null => true,
        Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

impl Cells {
    /// The cells of a column; its type has been found to be text.
    pub(super) fn of(array: &ArrayRef) -> Result<Self, ArrowError> {
        Ok(match array.data_type() {
            DataType::Null => Self::Constant(None),
            DataType::Utf8 => Self::Small(Offsets::of::<Utf8Type>(array)),
            DataType::Binary => Self::Small(Offsets::of::<BinaryType>(array)),
            DataType::LargeUtf8 => Self::Large(Offsets::of::<LargeUtf8Type>(array)),
            DataType::LargeBinary => Self::Large(Offsets::of::<LargeBinaryType>(array)),
            DataType::Utf8View => Self::View(checked(&array.as_string_view().clone().to_binary_view())?),
            DataType::BinaryView => Self::View(checked(array.as_binary_view())?),
            DataType::Dictionary(keys, _) => Self::dictionary(array, keys)?,
            other => return Err(ArrowError::SchemaError(format!("a column of type {other} changed its type"))),
        })
    }

    fn dictionary(array: &ArrayRef, keys: &DataType) -> Result<Self, ArrowError> {
        fn keyed<K: ArrowDictionaryKeyType>(array: &ArrayRef) -> Result<Cells, ArrowError>
        where
            K::Native: Into<Wide>,
        {
            let array = array.as_dictionary::<K>();
            let keys = array.keys().iter().map(|key| key.map_or(-1, |key| Into::<Wide>::into(key).0)).collect();
            Ok(Cells::Dictionary(keys, Box::new(Cells::of(array.values())?)))
        }
        match keys {
            DataType::Int8 => keyed::<Int8Type>(array),
            DataType::Int16 => keyed::<Int16Type>(array),
            DataType::Int32 => keyed::<Int32Type>(array),
            DataType::Int64 => keyed::<Int64Type>(array),
            DataType::UInt8 => keyed::<UInt8Type>(array),
            DataType::UInt16 => keyed::<UInt16Type>(array),
            DataType::UInt32 => keyed::<UInt32Type>(array),
            DataType::UInt64 => keyed::<UInt64Type>(array),
            other => Err(ArrowError::SchemaError(format!("a dictionary has keys of type {other}"))),
        }
    }

    /// The value in a row; none where it is null.
    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<&[u8]> {
        match self {
            Self::Constant(value) => value.as_deref(),
            Self::Small(cells) => cells.get(row, |offset| offset as usize),
            Self::Large(cells) => cells.get(row, |offset| offset as usize),
            Self::View(array) => (row < array.len() && array.is_valid(row)).then(|| array.value(row)),
            Self::Dictionary(keys, values) => values.get(usize::try_from(*keys.get(row)?).ok()?),
        }
    }
}

/// The array, once every view is known to lie in a buffer: reading one does not look again.
fn checked(array: &BinaryViewArray) -> Result<BinaryViewArray, ArrowError> {
    BinaryViewArray::try_new(array.views().clone(), array.data_buffers().to_vec(), array.nulls().cloned())
}

impl<O: Copy + arrow_buffer::ArrowNativeType> Offsets<O> {
    fn of<T: ByteArrayType<Offset = O>>(array: &ArrayRef) -> Self {
        let bytes = array.as_bytes::<T>();
        Self {
            offsets: bytes.offsets().inner().clone(),
            values: bytes.values().clone(),
            has_nulls: array.null_count() > 0,
            array: array.clone(),
        }
    }

    #[inline]
    fn get(&self, row: usize, index: impl Fn(O) -> usize) -> Option<&[u8]> {
        if self.has_nulls && self.array.is_null(row) {
            return None;
        }
        let (start, end) = (*self.offsets.get(row)?, *self.offsets.get(row + 1)?);
        self.values.as_slice().get(index(start)..index(end))
    }
}

/// A key of a dictionary, wide enough for all of them.
struct Wide(i64);

macro_rules! wide {
    ($($key:ty),*) => {
        $(impl From<$key> for Wide {
            fn from(key: $key) -> Self {
                // A key that does not fit names no value that memory could hold.
                Self(i64::try_from(key).unwrap_or(-1))
            }
        })*
    };
}

wide!(i8, i16, i32, i64, u8, u16, u32, u64);

/// Numbers of a column by row.
pub(super) enum Numbers {
    Constant(Option<u64>),
    Unsigned(PrimitiveArray<UInt64Type>),
    Signed(PrimitiveArray<Int64Type>),
    /// Decimal digits.
    Text(Cells),
}

/// Whether a column of this type can be read as unsigned numbers.
pub(super) fn is_number(kind: &DataType) -> bool {
    use DataType::{Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64};
    matches!(kind, UInt8 | UInt16 | UInt32 | UInt64 | Int8 | Int16 | Int32 | Int64) || is_text(kind)
}

impl Numbers {
    /// The numbers of a column; its type has been found to be one of numbers.
    pub(super) fn of(array: &ArrayRef) -> Result<Self, ArrowError> {
        fn signed<T: ArrowPrimitiveType>(array: &ArrayRef) -> Numbers
        where
            T::Native: Into<i64>,
        {
            Numbers::Signed(array.as_primitive::<T>().unary(Into::into))
        }
        fn unsigned<T: ArrowPrimitiveType>(array: &ArrayRef) -> Numbers
        where
            T::Native: Into<u64>,
        {
            Numbers::Unsigned(array.as_primitive::<T>().unary(Into::into))
        }
        Ok(match array.data_type() {
            DataType::UInt64 => Self::Unsigned(array.as_primitive::<UInt64Type>().clone()),
            DataType::Int64 => Self::Signed(array.as_primitive::<Int64Type>().clone()),
            DataType::Int8 => signed::<Int8Type>(array),
            DataType::Int16 => signed::<Int16Type>(array),
            DataType::Int32 => signed::<Int32Type>(array),
            DataType::UInt8 => unsigned::<UInt8Type>(array),
            DataType::UInt16 => unsigned::<UInt16Type>(array),
            DataType::UInt32 => unsigned::<UInt32Type>(array),
            _ => Self::Text(Cells::of(array)?),
        })
    }

    /// The number in a row; none where it is null, and an error where there is something else.
    #[inline]
    pub(super) fn get(&self, row: usize) -> Result<Option<u64>, String> {
        match self {
            Self::Constant(number) => Ok(*number),
            Self::Unsigned(numbers) => Ok(numbers.is_valid(row).then(|| numbers.value(row))),
            Self::Signed(numbers) if numbers.is_null(row) => Ok(None),
            Self::Signed(numbers) => u64::try_from(numbers.value(row)).map(Some).map_err(|_| format!("{} is negative", numbers.value(row))),
            Self::Text(cells) => cells.get(row).map(digits).transpose(),
        }
    }
}

fn digits(text: &[u8]) -> Result<u64, String> {
    let number = text.iter().all(u8::is_ascii_digit).then(|| str::from_utf8(text).ok()?.parse().ok()).flatten();
    number.ok_or_else(|| format!("`{}` is no whole number from 0 to 18446744073709551615", String::from_utf8_lossy(text).escape_debug()))
}

/// A column of pairs: a map, or a list of structs of two fields.
pub(super) struct Pairs {
    array: ArrayRef,
    offsets: PairOffsets,
    names: Cells,
    values: Cells,
    /// How many pairs there are in all rows.
    count: usize,
}

enum PairOffsets {
    Small(arrow_buffer::ScalarBuffer<i32>),
    Large(arrow_buffer::ScalarBuffer<i64>),
}

/// Whether a column of this type holds pairs of texts.
pub(super) fn is_pairs(kind: &DataType) -> bool {
    match kind {
        DataType::Map(entries, _) | DataType::List(entries) | DataType::LargeList(entries) => match entries.data_type() {
            DataType::Struct(fields) => fields.len() == 2 && fields.iter().all(|field| is_text(field.data_type())),
            _ => false,
        },
        _ => false,
    }
}

impl Pairs {
    /// The pairs of a column; its type has been found to be one of pairs.
    pub(super) fn of(array: &ArrayRef) -> Result<Self, ArrowError> {
        let changed = || ArrowError::SchemaError(format!("a column of type {} changed its type", array.data_type()));
        let (offsets, entries) = match array.data_type() {
            DataType::Map(..) => {
                let map = array.as_map();
                (PairOffsets::Small(map.offsets().inner().clone()), map.entries().clone())
            }
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                let entries = list.values().as_struct_opt().ok_or_else(changed)?;
                (PairOffsets::Small(list.offsets().inner().clone()), entries.clone())
            }
            DataType::LargeList(_) => {
                let list = array.as_list::<i64>();
                let entries = list.values().as_struct_opt().ok_or_else(changed)?;
                (PairOffsets::Large(list.offsets().inner().clone()), entries.clone())
            }
            _ => return Err(changed()),
        };
        let [names, values] = entries.columns() else { return Err(changed()) };
        Ok(Self { array: array.clone(), offsets, names: Cells::of(names)?, values: Cells::of(values)?, count: entries.len() })
    }

    /// The entries of a row, for [`get`](Self::get).
    #[inline]
    pub(super) fn entries(&self, row: usize) -> core::ops::Range<usize> {
        if self.array.is_null(row) {
            return 0..0;
        }
        let range = match &self.offsets {
            PairOffsets::Small(offsets) => offsets.get(row).zip(offsets.get(row + 1)).map(|(start, end)| *start as usize..*end as usize),
            PairOffsets::Large(offsets) => offsets.get(row).zip(offsets.get(row + 1)).map(|(start, end)| *start as usize..*end as usize),
        };
        // Offsets that lead out of the column lead nowhere.
        range.map_or(0..0, |range| range.start..range.end.min(self.count))
    }

    /// One pair; none where the name or the value is null.
    #[inline]
    pub(super) fn get(&self, entry: usize) -> Option<(&[u8], &[u8])> {
        Some((self.names.get(entry)?, self.values.get(entry)?))
    }
}
