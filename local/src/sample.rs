//! What an empty data folder is filled with: what a new user's first calls and the static sample events need. It is
//! made by the functions' own verbs, at a time and by a chance that are fixed, so that it is the same everywhere.
use std::sync::atomic::{AtomicU64, Ordering};

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use shared::{
    App,
    domain::{
        DAY, Password, Phone, Refusal, StoredPassword, UserId, World,
        token::{DEVELOPMENT_KEY, Token, TokenKeys},
    },
    store::NewUser,
};

use crate::{Plaza, StartError};

/// Felix, who is there from the start.
pub const PHONE: &str = "13800138000";
pub const PASSWORD: &str = "plaza2026";
/// A phone that nobody has, whose code is always [`CODE`].
pub const RESERVED_PHONE: &str = "13900139000";
pub const CODE: &str = "123456";

/// When the sample was made: 2026-01-01.
const THEN: u64 = 1_767_225_600_000;
/// How far from now the reserved phone's code is sent, so that it does not expire.
const FAR: u64 = 20_000 * DAY;

/// Fills the table where the sample is missing, and sends the reserved phone its code again.
pub async fn load(plaza: &Plaza, http: SharedHttpClient) -> Result<(), StartError> {
    let failed = |refusal: Refusal| StartError::Sample(refusal.to_string());
    let at = |time: u64| {
        let lookup = plaza.environment.clone();
        let variable = Box::new(move |name: &str| lookup.get(name).cloned());
        App::new(variable, world(time), http.clone()).map_err(StartError::Environment)
    };
    match felix(&*at(THEN)?).await {
        // He is there from the last time.
        Ok(_) | Err(Refusal::TooMany(_) | Refusal::SmsCode(_) | Refusal::PhoneTaken) => {}
        Err(no) => return Err(failed(no)),
    }
    match at(plaza.app.world.now() + FAR)?.store.new_sms_code(&phone(RESERVED_PHONE), u64::MAX).await {
        // Sent at the last start.
        Ok(_) | Err(Refusal::TooMany(_)) => Ok(()),
        Err(no) => Err(failed(no)),
    }
}

async fn felix(app: &App) -> Result<UserId, Refusal> {
    let code = app.store.new_sms_code(&phone(PHONE), u64::MAX).await?;
    let code = app.store.prove_code(phone(PHONE), &code, "code").await?;
    let password = StoredPassword::hash(&Password::new_letters_and_digits(PASSWORD)?, app.world.random())?;
    let user =
        app.store.create_user(NewUser { phone: Some(code), password: Some(password), ..NewUser::default() }).await?;
    Ok(user.id)
}

fn phone(number: &str) -> Phone {
    Phone::new("86", number).expect("the sample's phones are well-formed")
}

/// A token of Felix that ends in 2096: what the sample events carry. Signed by the development key, so that nothing
/// deployed accepts it.
pub fn token(user: UserId) -> String {
    let token = Token { user, id: "sample".into(), epoch: 0, expires: THEN + 70 * 366 * DAY };
    let keys = TokenKeys::new(DEVELOPMENT_KEY, None).expect("long enough");
    keys.sign(&token, THEN).expect("a token")
}

/// Time stands still; chance is the same at each start, but every code comes out as [`CODE`].
fn world(time: u64) -> World {
    let chance = AtomicU64::new(time);
    World::new(
        move || time,
        move |bytes| match bytes.len() {
            4 => bytes.copy_from_slice(&123_456_u32.to_le_bytes()),
            _ => bytes.chunks_mut(8).for_each(|bytes| {
                // splitmix64
                let mut word = chance.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
                word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
                bytes.copy_from_slice(&(word ^ word >> 31).to_le_bytes()[..bytes.len()]);
            }),
        },
    )
}
