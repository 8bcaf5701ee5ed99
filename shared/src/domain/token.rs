//! Tokens: JWTs by HS256, valid 30 days, short enough to leave room in a request's 10 KB of headers.
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    decode, decode_header, encode,
    errors::{Error, ErrorKind},
    signature::{Error as SignatureError, Signer, Verifier},
};
use ring::{digest, hmac};
use serde::{Deserialize, Serialize};

use super::{DAY, Millis, Refusal, Source, UserId, hex};

/// How long a login lasts.
pub const LIFE: Millis = 30 * DAY;

/// How long a token for the messaging service lasts.
const IM_LIFE: Millis = DAY;

/// What signs the fixed tokens of the sample events. Everybody can read it here, so only a function whose table is on
/// this machine accepts it (see `Config`).
pub const DEVELOPMENT_KEY: &str = "plaza-development-key-that-everybody-knows";

const ISSUER: &str = "plaza";
/// For whom a token is: the five documents' operations.
const AUDIENCE: &str = "plaza";
/// For the messaging service: no operation takes such a token.
const IM_AUDIENCE: &str = "im";
/// Clocks of two machines may differ by so many seconds before a fresh token seems to come from the future.
const SKEW: u64 = 10;

/// What a valid token says.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub user: UserId,
    /// Tells this token from the user's others, so that one can end alone.
    pub id: String,
    /// The user's epoch when it was made: a later one ends it.
    pub epoch: u32,
    pub expires: Millis,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    jti: String,
    ep: u32,
    /// Seconds since 1970, as are the other two.
    iat: u64,
    nbf: u64,
    exp: u64,
}

/// What the messaging service reads.
#[derive(Serialize, Deserialize)]
struct ImClaims {
    iss: String,
    aud: String,
    /// The user's id as document B shows it.
    sub: String,
    iat: u64,
    nbf: u64,
    exp: u64,
}

/// One key signs. It and the others verify: those that signed until lately, and the one that is to sign next, so that a
/// change of keys signs nobody out while functions are updated one after another (`docs/keys.md`).
pub struct TokenKeys {
    current: SigningKey,
    accepted: Vec<SigningKey>,
    rules: Validation,
}

/// Signs what the messaging service reads. The service must know it and thereby could sign, so it signs nobody in here.
pub struct ImKey(SigningKey);

struct SigningKey {
    id: String,
    sign: EncodingKey,
    verify: DecodingKey,
    /// Hashes the addresses that requests come from.
    sources: hmac::Key,
}

impl SigningKey {
    fn new(secret: &str) -> Result<Self, String> {
        // Fails where it is installed already, which is as good.
        let _ = PROVIDER.install_default();
        if secret.len() < 32 {
            return Err("a token key needs at least 32 characters".into());
        }
        // A fingerprint: it names the key in a token's header and tells nothing of it.
        let id = hex(&digest::digest(&digest::SHA256, secret.as_bytes()).as_ref()[..4]);
        let (sign, verify) = (EncodingKey::from_secret(secret.as_bytes()), DecodingKey::from_secret(secret.as_bytes()));
        let sources = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), b"sources");
        let sources = hmac::Key::new(hmac::HMAC_SHA256, sources.as_ref());
        Ok(Self { id, sign, verify, sources })
    }
}

impl TokenKeys {
    /// `accepted`: keys with commas between. Fails where one is shorter than 32 characters.
    pub fn new(current: &str, accepted: Option<&str>) -> Result<Self, String> {
        let accepted = accepted.into_iter().flat_map(|keys| keys.split(','));
        let accepted = accepted.map(|key| SigningKey::new(key.trim())).collect::<Result<_, _>>()?;
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_audience(&[AUDIENCE]);
        rules.set_issuer(&[ISSUER]);
        rules.set_required_spec_claims(&["aud", "exp", "iss", "nbf", "sub"]);
        // By our clock, in `verify`: the crate reads the machine's.
        rules.validate_exp = false;
        Ok(Self { current: SigningKey::new(current)?, accepted, rules })
    }

    pub fn sign(&self, token: &Token, now: Millis) -> Result<String, Refusal> {
        let header = Header { kid: Some(self.current.id.clone()), ..Header::new(Algorithm::HS256) };
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: token.user.0.to_string(),
            jti: token.id.clone(),
            ep: token.epoch,
            iat: now / 1000,
            nbf: now / 1000,
            exp: token.expires / 1000,
        };
        encode(&header, &claims, &self.current.sign).map_err(|_| Refusal::Internal)
    }

    /// What is stored in place of an address: without the key nobody can try all addresses out.
    pub fn pseudonym(&self, source: Source) -> String {
        hex(hmac::sign(&self.current.sources, source.text().as_bytes()).as_ref())
    }

    /// What the token says, or `None` where it is not one of ours or not of now. Whether it was ended, its user's
    /// record tells.
    pub fn verify(&self, token: &str, now: Millis) -> Option<Token> {
        let kid = decode_header(token).ok()?.kid?;
        let key = [&self.current].into_iter().chain(&self.accepted).find(|key| key.id == kid)?;
        let claims: Claims = decode(token, &key.verify, &self.rules).ok()?.claims;
        let now = now / 1000;
        (claims.nbf <= now + SKEW && now < claims.exp).then_some(())?;
        Some(Token {
            user: UserId(claims.sub.parse().ok()?),
            id: claims.jti,
            epoch: claims.ep,
            expires: claims.exp * 1000,
        })
    }
}

impl ImKey {
    /// Fails where it is shorter than 32 characters.
    pub fn new(secret: &str) -> Result<Self, String> {
        SigningKey::new(secret).map(Self)
    }

    /// A token for the messaging service: it names the user for a day, and its key in the header as `kid`, so that the
    /// service can know two while the key changes.
    pub fn sign(&self, user: UserId, now: Millis) -> Result<String, Refusal> {
        let header = Header { kid: Some(self.0.id.clone()), ..Header::new(Algorithm::HS256) };
        let claims = ImClaims {
            iss: ISSUER.into(),
            aud: IM_AUDIENCE.into(),
            sub: user.hex(),
            iat: now / 1000,
            nbf: now / 1000,
            exp: (now + IM_LIFE) / 1000,
        };
        encode(&header, &claims, &self.0.sign).map_err(|_| Refusal::Internal)
    }
}

/// HS256 by ring, which TLS has brought along, and nothing else: the crate's own provider links RSA and two elliptic
/// curves that no token of ours may use.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| Ok(Box::new(Hs256::new(algorithm, key.as_bytes())?)),
    verifier_factory: |algorithm, key| Ok(Box::new(Hs256::new(algorithm, key.try_get_as_bytes()?)?)),
    key_utils: KeyUtils::new_unimplemented(),
};

struct Hs256(hmac::Key);

impl Hs256 {
    fn new(algorithm: &Algorithm, secret: &[u8]) -> Result<Self, Error> {
        match algorithm {
            Algorithm::HS256 => Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, secret))),
            _ => Err(ErrorKind::InvalidAlgorithm.into()),
        }
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        hmac::verify(&self.0, message, signature).map_err(|_| SignatureError::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_800_000_000_000;
    const OLD: &str = "the key before and long enough to be one";
    const NEW: &str = "the key of today and long enough to be one";

    fn token() -> Token {
        Token { user: UserId(6), id: "abc".into(), epoch: 3, expires: NOW + LIFE }
    }

    fn keys(current: &str, previous: Option<&str>) -> TokenKeys {
        TokenKeys::new(current, previous).unwrap()
    }

    #[test]
    fn says_what_it_was_made_of() {
        let keys = keys(NEW, None);
        let text = keys.sign(&token(), NOW).unwrap();
        assert!(text.len() < 400, "{} bytes", text.len());
        assert_eq!(keys.verify(&text, NOW), Some(token()));
        let claims: Claims = jsonwebtoken::dangerous::insecure_decode_claims(&text).unwrap();
        assert_eq!((claims.iat, claims.nbf, claims.exp), (NOW / 1000, NOW / 1000, (NOW + LIFE) / 1000));
    }

    #[test]
    fn lives_from_its_first_to_its_last_second() {
        let keys = keys(NEW, None);
        let text = keys.sign(&token(), NOW).unwrap();
        assert!(keys.verify(&text, NOW + LIFE - 1000).is_some());
        assert!(keys.verify(&text, NOW + LIFE).is_none());
        assert!(keys.verify(&text, NOW - 11_000).is_none());
    }

    #[test]
    fn a_change_of_keys_signs_nobody_out() {
        let text = keys(OLD, None).sign(&token(), NOW).unwrap();
        assert!(keys(NEW, Some(OLD)).verify(&text, NOW).is_some());
        assert!(keys(NEW, None).verify(&text, NOW).is_none());
    }

    #[test]
    fn functions_of_two_deployments_take_each_others_tokens() {
        let third = format!("{OLD},{NEW}");
        // Before, accepted everywhere, signing, retired: each deployment meets the one before it.
        let steps = [keys(OLD, None), keys(OLD, Some(NEW)), keys(NEW, Some(OLD)), keys(NEW, None)];
        for two in steps.windows(2).take(2) {
            for (signs, verifies) in [(&two[0], &two[1]), (&two[1], &two[0])] {
                assert!(verifies.verify(&signs.sign(&token(), NOW).unwrap(), NOW).is_some());
            }
        }
        // Retired when what it signed has ended: of what is valid then nothing is lost.
        let last = steps[1].sign(&token(), NOW).unwrap();
        assert!(steps[2].verify(&last, NOW + LIFE - 1000).is_some() && steps[2].verify(&last, NOW + LIFE).is_none());
        let later = steps[2].sign(&token(), NOW).unwrap();
        assert!(steps[3].verify(&later, NOW).is_some());
        // More than one may be on the way.
        let many = keys("yet another key and long enough to be one", Some(&third));
        assert!([OLD, NEW].iter().all(|key| many.verify(&keys(key, None).sign(&token(), NOW).unwrap(), NOW).is_some()));
    }

    #[test]
    fn nobody_elses_tokens() {
        let keys = keys(NEW, Some(OLD));
        let forge = |alter: fn(&mut Header, &mut Claims)| {
            let mut header = Header { kid: Some(keys.current.id.clone()), ..Header::new(Algorithm::HS256) };
            let text = |text: &str| text.to_owned();
            let (iss, aud, sub, jti) = (text(ISSUER), text(AUDIENCE), text("6"), text("abc"));
            let now = NOW / 1000;
            let mut claims = Claims { iss, aud, sub, jti, ep: 3, iat: now, nbf: now, exp: now + 1 };
            alter(&mut header, &mut claims);
            encode(&header, &claims, &keys.current.sign).unwrap()
        };
        assert!(keys.verify(&forge(|_, _| ()), NOW).is_some());
        assert!(keys.verify(&forge(|_, claims| claims.iss = "someone".into()), NOW).is_none());
        assert!(keys.verify(&forge(|_, claims| claims.aud = "im".into()), NOW).is_none());
        assert!(keys.verify(&forge(|_, claims| claims.sub = "six".into()), NOW).is_none());
        assert!(keys.verify(&forge(|header, _| header.kid = None), NOW).is_none());
        assert!(keys.verify(&forge(|header, _| header.kid = Some("other".into())), NOW).is_none());
        // The same claims under no algorithm, another signature, or half a token.
        let good = forge(|_, _| ());
        let claims = good.split('.').nth(1).unwrap();
        let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
        let other = TokenKeys::new("another key altogether of 32 or more", None).unwrap().sign(&token(), NOW).unwrap();
        for text in ["", "a.b.c", &none, &other, &good[..good.len() - 2], "null"] {
            assert!(keys.verify(text, NOW).is_none(), "{text}");
        }
    }

    #[test]
    fn a_token_for_messages_is_none_for_operations() {
        const IM: &str = "what the messaging service knows as well";
        let (keys, im) = (keys(NEW, None), ImKey::new(IM).unwrap());
        let text = im.sign(UserId(6), NOW).unwrap();
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_audience(&["im"]);
        rules.validate_exp = false;
        let claims: ImClaims = decode(&text, &DecodingKey::from_secret(IM.as_bytes()), &rules).unwrap().claims;
        assert!(decode::<ImClaims>(&text, &keys.current.verify, &rules).is_err());
        assert_eq!((claims.iss.as_str(), claims.sub.as_str()), ("plaza", "00000000000000000000000000000006"));
        let now = NOW / 1000;
        assert_eq!((claims.iat, claims.nbf, claims.exp), (now, now, now + 24 * 60 * 60));
        // It names its key: the first 8 digits of `printf %s "$IM_KEY" | sha256sum`.
        assert_eq!(decode_header(&text).unwrap().kid.unwrap(), im.0.id);
        assert_eq!(keys.verify(&text, NOW), None);
        // Nor would one that says all that a session's does, signed by either key, under either name.
        let text = |text: &str| text.to_owned();
        let (iss, sub, jti) = (text(ISSUER), text("6"), text("abc"));
        let (iat, nbf, exp) = (claims.iat, claims.nbf, claims.exp);
        let claims = Claims { iss, aud: text(IM_AUDIENCE), sub, jti, ep: 0, iat, nbf, exp };
        for id in [&keys.current.id, &im.0.id] {
            let header = Header { kid: Some(id.clone()), ..Header::new(Algorithm::HS256) };
            for key in [&keys.current.sign, &im.0.sign] {
                assert_eq!(keys.verify(&encode(&header, &claims, key).unwrap(), NOW), None);
            }
            let claims = Claims { aud: text(AUDIENCE), iss: text(ISSUER), sub: text("6"), jti: text("abc"), ..claims };
            assert_eq!(keys.verify(&encode(&header, &claims, &im.0.sign).unwrap(), NOW), None);
        }
    }

    #[test]
    fn short_keys_are_no_keys() {
        assert!(TokenKeys::new("short", None).is_err());
        assert!(TokenKeys::new(NEW, Some("short")).is_err());
        assert!(ImKey::new("short").is_err());
    }
}
