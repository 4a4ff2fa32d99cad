//! The short forms: a call that is sent and read in one.

use bytes::Bytes;
use serde::de::DeserializeOwned;

#[cfg(feature = "csv")]
use super::csv_records::CsvRecords;
use super::format::Format;
use crate::Error;
use crate::op::GetObject;
use crate::operation::Sender;

impl<S: Sender> GetObject<S> {
    /// Sends the request and reads the whole body: see [`Object::bytes`](crate::Object::bytes).
    ///
    /// # Errors
    /// As the request's and [`Object::bytes`](crate::Object::bytes).
    pub async fn bytes(self) -> Result<Bytes, Error> {
        let mut object = self.open().await?;
        object.read_whole().await
    }

    /// Sends the request and reads the whole body as UTF-8 text: see [`Object::text`](crate::Object::text).
    ///
    /// # Errors
    /// As the request's and [`Object::text`](crate::Object::text).
    pub async fn text(self) -> Result<String, Error> {
        self.open().await?.text().await
    }

    /// Sends the request and reads the whole body as JSON: see [`Object::json`](crate::Object::json).
    ///
    /// # Errors
    /// As the request's and [`Object::json`](crate::Object::json).
    #[cfg(feature = "json")]
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.open().await?.json().await
    }

    /// Sends the request and reads the whole body as XML: see [`Object::xml`](crate::Object::xml).
    ///
    /// # Errors
    /// As the request's and [`Object::xml`](crate::Object::xml).
    #[cfg(feature = "xml")]
    pub async fn xml<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.open().await?.xml().await
    }

    /// Sends the request and reads the records of a CSV object one by one: see [`Object::csv`](crate::Object::csv).
    ///
    /// # Errors
    /// As the request's and [`Object::csv`](crate::Object::csv).
    #[cfg(feature = "csv")]
    pub async fn csv<T: DeserializeOwned>(self) -> Result<CsvRecords<T, S::Body>, Error> {
        self.open().await?.csv().await
    }

    /// Sends the request and reads one record, as the key's extension says: see
    /// [`Object::record`](crate::Object::record).
    ///
    /// # Errors
    /// As the request's and [`Object::record`](crate::Object::record).
    pub async fn record<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.open().await?.record().await
    }

    /// Sends the request and reads one record in this format: see [`Object::record_as`](crate::Object::record_as).
    ///
    /// # Errors
    /// As the request's and [`Object::record_as`](crate::Object::record_as).
    pub async fn record_as<T: DeserializeOwned>(self, format: Format) -> Result<T, Error> {
        self.open().await?.record_as(format).await
    }

    /// Sends the request and reads the records of an object whose key ends in `.csv`: see
    /// [`Object::records`](crate::Object::records).
    ///
    /// # Errors
    /// As the request's and [`Object::records`](crate::Object::records).
    #[cfg(feature = "csv")]
    pub async fn records<T: DeserializeOwned>(self) -> Result<CsvRecords<T, S::Body>, Error> {
        self.open().await?.records().await
    }

    /// Sends the request and reads the records of an object in this format: see
    /// [`Object::records_as`](crate::Object::records_as).
    ///
    /// # Errors
    /// As the request's and [`Object::records_as`](crate::Object::records_as).
    #[cfg(feature = "csv")]
    pub async fn records_as<T: DeserializeOwned>(self, format: Format) -> Result<CsvRecords<T, S::Body>, Error> {
        self.open().await?.records_as(format).await
    }

    /// Sends the request and hands over the bytes as they arrive.
    ///
    /// # Errors
    /// As the request's; the stream ends with an error where the body breaks off.
    pub async fn stream(self) -> Result<S::Body, Error> {
        Ok(self.open().await?.body)
    }
}
