//! Three-valued truth (section 8, `recorded`): a condition on what the recorder could not see neither holds nor fails.
//! An unknown carries the attributes that it depends on and that no sibling has settled.

use std::collections::BTreeSet;

/// An attribute that the recorder could not see, as `undetermined` lists it: `header NAME` or `roll`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unseen(pub(super) String);

/// A value, or the name of what would have had to be seen.
pub(super) type Seen<T> = Result<T, Unseen>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Truth {
    Holds,
    Fails,
    Unknown(BTreeSet<String>),
}

impl Truth {
    pub(super) fn of(value: Seen<bool>) -> Truth {
        match value {
            Ok(true) => Truth::Holds,
            Ok(false) => Truth::Fails,
            Err(Unseen(attribute)) => Truth::Unknown(BTreeSet::from([attribute])),
        }
    }

    pub(super) fn not(self) -> Truth {
        match self {
            Truth::Holds => Truth::Fails,
            Truth::Fails => Truth::Holds,
            unknown => unknown,
        }
    }

    /// All must hold: one that fails settles the unknown ones.
    pub(super) fn all(parts: impl IntoIterator<Item = Truth>) -> Truth {
        Truth::join(parts, Truth::Holds, Truth::Fails)
    }

    /// One must hold: one that holds settles the unknown ones.
    pub(super) fn any(parts: impl IntoIterator<Item = Truth>) -> Truth {
        Truth::join(parts, Truth::Fails, Truth::Holds)
    }

    fn join(parts: impl IntoIterator<Item = Truth>, neutral: Truth, settling: Truth) -> Truth {
        let mut open = BTreeSet::new();
        for part in parts {
            if part == settling {
                return settling;
            }
            if let Truth::Unknown(attributes) = part {
                open.extend(attributes);
            }
        }
        if open.is_empty() { neutral } else { Truth::Unknown(open) }
    }
}
