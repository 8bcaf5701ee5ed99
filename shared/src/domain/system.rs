use std::sync::Arc;

/// Milliseconds since 1970.
pub type Millis = u64;

pub const MINUTE: Millis = 60 * 1000;
pub const HOUR: Millis = 60 * MINUTE;
pub const DAY: Millis = 24 * HOUR;

/// Fills a buffer with bytes that nobody can guess.
pub type Random = dyn Fn(&mut [u8]) + Send + Sync;

/// Time and chance, handed in from outside, so that tests are exact.
#[derive(Clone)]
pub struct System {
    clock: Arc<dyn Fn() -> Millis + Send + Sync>,
    random: Arc<Random>,
}

impl System {
    pub fn new(
        clock: impl Fn() -> Millis + Send + Sync + 'static,
        random: impl Fn(&mut [u8]) + Send + Sync + 'static,
    ) -> Self {
        Self { clock: Arc::new(clock), random: Arc::new(random) }
    }

    pub fn now(&self) -> Millis {
        (self.clock)()
    }

    /// Fills `bytes` by chance.
    pub fn fill(&self, bytes: &mut [u8]) {
        (self.random)(bytes);
    }

    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// Six decimal digits, each code as likely as any other: what a `u32` would favour is thrown again.
    pub fn six_digits(&self) -> String {
        const CODES: u32 = 1_000_000;
        loop {
            let number = u32::from_le_bytes(self.random());
            if number < u32::MAX - u32::MAX % CODES {
                return format!("{:06}", number % CODES);
            }
        }
    }
}
