//! The query of a request.

use percent_encoding::percent_decode_str;

use crate::error::{Code, Error, Result, invalid_argument};

/// Decoded names and values, in the order sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<(String, Option<String>)>);

impl Query {
    pub(crate) fn parse(text: Option<&str>) -> Result<Self> {
        let decode = |piece: &str| {
            percent_decode_str(&piece.replace('+', " "))
                .decode_utf8()
                .map(|text| text.into_owned())
                .map_err(|_| Error::from(Code::InvalidUri))
        };
        let pieces = text.unwrap_or_default().split('&').filter(|piece| !piece.is_empty());
        let pairs = pieces.map(|piece| match piece.split_once('=') {
            Some((name, value)) => Ok((decode(name)?, Some(decode(value)?))),
            None => Ok((decode(piece)?, None)),
        });
        Ok(Self(pairs.collect::<Result<_>>()?))
    }

    /// The first value under `name`; a name without `=` has the value "".
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(at, _)| at == name).map(|(_, value)| value.as_deref().unwrap_or_default())
    }

    /// The same, with "" counting as absent.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Names, each with whether it came with a value.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_deref().is_some_and(|value| !value.is_empty())))
    }

    /// A count such as `max-keys`: `most` where it is absent or larger.
    pub(crate) fn count(&self, name: &str, most: usize) -> Result<usize> {
        let Some(text) = self.filled(name) else { return Ok(most) };
        match text.parse::<i64>() {
            Ok(count) if (0..=i64::from(i32::MAX)).contains(&count) => {
                Ok(usize::try_from(count).unwrap_or(most).min(most))
            }
            Ok(_) => Err(invalid_argument(
                format!("Argument {name} must be an integer between 0 and 2147483647"),
                name,
                text,
            )),
            Err(_) => {
                Err(invalid_argument(format!("Provided {name} not an integer or within integer range"), name, text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_names_and_values() {
        let query = Query::parse(Some("prefix=a%2Fb+c&uploads&&max-keys=3&x=")).unwrap();
        assert_eq!(query.get("prefix"), Some("a/b c"));
        assert_eq!(query.get("uploads"), Some(""));
        assert_eq!(query.filled("x"), None);
        assert_eq!(query.count("max-keys", 1000).unwrap(), 3);
        assert_eq!(query.count("max-parts", 1000).unwrap(), 1000);
        assert!(Query::parse(Some("a=%ff")).is_err());
        for bad in ["-1", "x", "99999999999"] {
            assert!(Query::parse(Some(&format!("n={bad}"))).unwrap().count("n", 9).is_err(), "{bad}");
        }
    }
}
