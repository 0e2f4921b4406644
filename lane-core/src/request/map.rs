//! The header map of the crate `http`, lent as it is (feature `http`). It keeps lines of one name in order, which is all
//! the order that matters (S10), and finds them by name.

use http::{HeaderMap, HeaderValue, header};

use super::Headers;

/// Lines of a [`HeaderMap`], see [`Headers`].
#[derive(Debug)]
pub struct MapLines<'h> {
    map: &'h HeaderMap,
    rest: header::Iter<'h, HeaderValue>,
    taken: usize,
}

impl Clone for MapLines<'_> {
    fn clone(&self) -> Self {
        // The map's own iterator cannot be cloned: another one goes as far.
        let mut rest = self.map.iter();
        if let Some(last) = self.taken.checked_sub(1) {
            rest.nth(last);
        }
        Self { map: self.map, rest, taken: self.taken }
    }
}

impl<'h> Iterator for MapLines<'h> {
    type Item = (&'h [u8], &'h [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = self.rest.next()?;
        self.taken += 1;
        Some((name.as_str().as_bytes(), value.as_bytes()))
    }
}

impl Headers for HeaderMap {
    type Lines<'h> = MapLines<'h>;

    fn lines(&self) -> MapLines<'_> {
        MapLines { map: self, rest: self.iter(), taken: 0 }
    }

    fn first_line(&self, name: &str) -> Option<(&[u8], bool)> {
        let mut values = self.get_all(name).iter();
        values.next().map(|first| (first.as_bytes(), values.next().is_some()))
    }
}
