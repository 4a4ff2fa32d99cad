//! A bucket of as many keys as are wanted, none of which is stored: those that are to be listed, then the small objects.

use std::fmt::Write;

use crate::request::Request;

pub struct Listing {
    /// Bytes of the large object.
    pub size: u64,
    pub keys: usize,
    pub small: usize,
    pub synced: usize,
}

const PAGE: usize = 1000;

impl Listing {
    /// The key of this number; they ascend.
    fn key(&self, number: usize) -> String {
        let Some(number) = number.checked_sub(1) else { return job::LARGE_KEY.to_owned() };
        if number < self.keys {
            return format!("{}2026/11/part-{number:010}-7f3a9c.parquet", job::LIST_PREFIX);
        }
        match number - self.keys {
            small if small < self.small => job::small_key(small),
            other => format!("{}{}", job::SYNC_PREFIX, job::synced_name(other - self.small)),
        }
    }

    /// How many keys come before all for which `is_after` holds.
    fn first(&self, is_after: impl Fn(&str) -> bool) -> usize {
        let (mut low, mut high) = (0, 1 + self.keys + self.small + self.synced);
        while low < high {
            let middle = low + (high - low) / 2;
            if is_after(&self.key(middle)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// The answer to ListObjectsV2, and how many keys it has.
    pub fn page(&self, request: &Request<'_>) -> (String, usize) {
        let parameter = |name| request.parameter(name).unwrap_or_default();
        let (prefix, delimiter) = (parameter("prefix"), parameter("delimiter"));
        let most = parameter("max-keys").parse().unwrap_or(PAGE).min(PAGE);
        let mut at = match (request.parameter("continuation-token"), request.parameter("start-after")) {
            (Some(token), _) => token.parse().unwrap_or(usize::MAX),
            (None, Some(key)) => self.first(|other| other > key.as_str()),
            (None, None) => 0,
        };
        at = at.max(self.first(|key| key >= prefix.as_str()));
        let end = self.first(|key| key > prefix.as_str() && !key.starts_with(&prefix));

        let mut items = String::with_capacity(most * 380);
        let mut prefixes = String::new();
        let mut count = 0;
        while at < end && count < most {
            let key = self.key(at);
            count += 1;
            let cut = if delimiter.is_empty() { None } else { key[prefix.len()..].find(&delimiter) };
            if let Some(cut) = cut {
                let common = &key[..prefix.len() + cut + delimiter.len()];
                let _ = write!(prefixes, "<CommonPrefixes><Prefix>{common}</Prefix></CommonPrefixes>");
                at = self.first(|key| key > common && !key.starts_with(common));
                continue;
            }
            let _ = write!(
                items,
                "<Contents><Key>{key}</Key><LastModified>2026-11-{:02}T17:50:30.000Z</LastModified>\
                 <ETag>&quot;9bb58f26192e4ba00f01e2e7{at:08x}{}&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>\
                 <ChecksumType>FULL_OBJECT</ChecksumType><Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
                1 + at % 25,
                // Whoever gets these shall not take the ETag for an MD5.
                if (1..=self.keys).contains(&at) { "" } else { "-1" },
                if at == 0 { self.size } else { job::SMALL as u64 },
            );
            at += 1;
        }
        let next = match at < end {
            true => format!("<NextContinuationToken>{at}</NextContinuationToken>"),
            false => String::new(),
        };
        let encoding = match request.parameter("encoding-type") {
            Some(_) => "<EncodingType>url</EncodingType>",
            None => "",
        };
        let page = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Name>{}</Name><Prefix>{prefix}</Prefix>{next}<KeyCount>{count}</KeyCount><MaxKeys>{most}</MaxKeys>\
             <Delimiter>{delimiter}</Delimiter>{encoding}<IsTruncated>{}</IsTruncated>{items}{prefixes}</ListBucketResult>",
            request.bucket,
            at < end,
        );
        (page, count)
    }
}
