//! Where a request comes from, and how many codes may be asked for there.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address that a request came from, as far as two are told apart: of IPv6 the first 64 bits, for whoever has one
/// address has all of those. It is nobody's to read: only its hash under a key is ever stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Source(IpAddr);

impl Source {
    /// All those of whom nothing tells where they are.
    pub const UNKNOWN: Self = Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED));

    pub(super) fn text(self) -> String {
        self.0.to_string()
    }
}

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
            address => address,
        })
    }
}

/// How many SMS codes may be sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmsLimits {
    /// In an hour, at the wish of one [`Source`].
    pub hourly: usize,
    /// On a day (UTC's) in all. Half of them are kept for phones that have an account.
    pub daily: u64,
}

impl SmsLimits {
    pub const NONE: Self = Self { hourly: usize::MAX, daily: u64::MAX };

    /// Of a day's codes, those for phones that nobody has registered with.
    pub fn for_strangers(self) -> u64 {
        self.daily.div_ceil(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(address: &str) -> Source {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn a_source_is_an_address_of_ipv4_and_64_bits_of_ipv6() {
        assert!(source("192.0.2.1") != source("192.0.2.2"));
        assert!(source("::ffff:192.0.2.1") == source("192.0.2.1"));
        assert!(source("2001:db8:1:2::1") == source("2001:DB8:1:2:ffff:ffff:ffff:ffff"));
        assert!(source("2001:db8:1:2::1") != source("2001:db8:1:3::1"));
    }

    #[test]
    fn half_of_a_day_is_kept() {
        let strangers = |daily| SmsLimits { hourly: 1, daily }.for_strangers();
        assert_eq!([1000, 5, 1, 0].map(strangers), [500, 3, 1, 0]);
    }
}
