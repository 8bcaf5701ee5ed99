//! What document B lets members say of themselves: closed sets of words.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($word:ident)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($word),* }
    )*};
}

words! {
    /// The attitude to intimacy.
    SexAttitude { Conservative Nature Virgin EachOther Open Crazy }
    /// The occupation: freelance, student, business owner, office, public institution, farming.
    Job { Soho Student PrivateOwner WhiteCollar Institution Agricultural }
    /// The highest degree.
    Degree { JuniorMiddle MiddleSchool ProTraining Bachelor Master Doctor }
    /// Married, single, in love or not told.
    Marriage { Married Single Secret InLove }
    /// When calls are welcome.
    OnlinePeriod { Anytime WorkTime RestTime }
}
