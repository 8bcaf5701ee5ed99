use std::fmt;

use super::TicketId;

/// Why an operation says no: one variant for one cause, one code in every document. Its `Display` is the public
/// message, which says what to mend; nothing internal is ever in it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The request is malformed or a value is out of range. The text names the field.
    #[error("{0}")]
    Malformed(String),
    #[error("sign in first: the token is missing, wrong or ended")]
    NotSignedIn,
    #[error("this is not yours to change")]
    NotYours,
    #[error("no such {0}")]
    NoSuch(&'static str),
    /// The state of things does not allow it. The text says which state.
    #[error("{0}")]
    Conflict(&'static str),
    #[error("the body is too large: at most {0}")]
    BodyTooLarge(&'static str),
    #[error("send the body as {0}")]
    UnsupportedMediaType(&'static str),
    /// A limit on how often something may be done. The text says when to try again.
    #[error("{0}")]
    TooMany(String),
    #[error("something broke on our side; trying again may help")]
    Internal,
    #[error("too busy right now: try again in a moment")]
    Unavailable,

    #[error("no such registered user")]
    NotRegistered,
    #[error("this version is under review: use a review account")]
    UnderReview,
    #[error("wrong account or password")]
    WrongPassword,
    #[error("account: {0}")]
    Locked(LockedBy),
    #[error("wrong, expired or used up: ask for a new code")]
    SmsCode,
    #[error("{0}")]
    Phone(PhoneFault),
    #[error("password: {0}")]
    PasswordRules(&'static str),
    #[error("something broke on our side while registering; trying again may help")]
    RegisterFailed,
    #[error("{0}: send a JPEG, PNG, WebP or GIF picture that browsers show")]
    ImageFormat(&'static str),
    #[error("{0}: the picture is cut off or damaged: send the whole file")]
    ImageCutOff(&'static str),
    #[error("{0}: at most 4 MiB and 40 megapixels")]
    ImageTooLarge(&'static str),
    #[error("{0}: each side needs at least 64 pixels")]
    ImageTooSmall(&'static str),
    /// What was uploaded under an id that a field names, past us.
    #[error("{0}: {1}")]
    Upload(&'static str, UploadFault),
    #[error("phone: already registered")]
    PhoneTaken,
    #[error("email: already in use")]
    EmailTaken,

    #[error("ticket {} is sold, or another order holds it", .0.0)]
    TicketTaken(TicketId),
    #[error("ticket {} is not in the shopping cart", .0.0)]
    NotInCart(TicketId),
    /// An idempotency key.
    #[error("was used for another order")]
    KeyUsed,
    #[error("the payment was declined: pay again, or cancel the order")]
    PaymentDeclined,
    #[error(
        "the provider has not said yet what became of the payment: ask again in a moment, nothing is charged twice"
    )]
    PaymentUnknown,

    /// Any of the above that is about one value, with the name that the request has for it.
    #[error("{0}: {1}")]
    In(&'static str, Box<Refusal>),
}

/// What is wrong with a phone number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PhoneFault {
    /// Of country 86: `1`, a digit from 3 to 9, nine digits.
    China,
    /// Of any other country: 5 to 15 digits.
    Elsewhere,
    /// A country code is 1 to 3 digits.
    Country,
    /// It brings one country's code, beside another one's.
    Contradiction,
    /// Well-formed, but no network knows it.
    Nobodys,
}

impl fmt::Display for PhoneFault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::China => {
                "phone: 11 digits that begin with 13 to 19; a number of another country needs its code: in country, or as + before it"
            }
            Self::Elsewhere => "phone: 5 to 15 digits after the country code",
            Self::Country => "country: a country code of 1 to 3 digits, such as 86",
            Self::Contradiction => "phone: begins with another country code than country names: leave one of them out",
            Self::Nobodys => "phone: no message can be sent to this number",
        })
    }
}

/// What is wrong with an upload.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum UploadFault {
    #[error("what was uploaded under this id is no picture that browsers show: upload another under a new id")]
    NoPicture,
    #[error("the picture uploaded under this id is cut off or damaged: upload the whole file under a new id")]
    PictureCutOff,
    #[error("the picture uploaded under this id is larger than 10 MiB or 40 megapixels: upload another under a new id")]
    TooLarge,
    #[error("what was uploaded under this id is no audio or video of its kind: upload another under a new id")]
    NoRecording,
    #[error("the audio or video uploaded under this id is cut off: upload the whole file under a new id")]
    RecordingCutOff,
    #[error(
        "the file uploaded under this id is larger than 20 MiB of audio or 200 MiB of video: upload another under a new id"
    )]
    RecordingTooLarge,
}

/// Who has locked an account.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum LockedBy {
    #[error("locked for 15 minutes after too many wrong passwords; other ways to log in still work")]
    WrongPasswords,
    #[error("locked by the operator")]
    Operator,
}

impl Refusal {
    /// Names the field that is to blame, where the value that it holds is: for `map_err`.
    pub fn of(field: &'static str) -> impl Fn(Self) -> Self {
        move |no| match no {
            Self::Malformed(_)
            | Self::Conflict(_)
            | Self::TooMany(_)
            | Self::SmsCode
            | Self::TicketTaken(_)
            | Self::NotInCart(_)
            | Self::KeyUsed => Self::In(field, Box::new(no)),
            no => no,
        }
    }

    /// The code in every document's envelope. Three digits are the HTTP status, too; what status four digits travel
    /// with is the dialect's.
    pub fn code(&self) -> u16 {
        match self {
            Self::In(_, no) => no.code(),
            Self::Malformed(_) => 400,
            Self::NotSignedIn => 401,
            Self::NotYours => 403,
            Self::NoSuch(_) => 404,
            Self::Conflict(_) => 409,
            Self::BodyTooLarge(_) => 413,
            Self::UnsupportedMediaType(_) => 415,
            Self::TooMany(_) => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
            Self::NotRegistered => 1001,
            Self::UnderReview => 1101,
            Self::WrongPassword => 3100,
            Self::Locked(_) => 3101,
            Self::SmsCode => 3200,
            Self::Phone(_) => 3201,
            Self::PasswordRules(_) => 3202,
            Self::RegisterFailed => 3203,
            Self::ImageFormat(_) | Self::ImageCutOff(_) => 3300,
            Self::ImageTooLarge(_) => 3301,
            Self::ImageTooSmall(_) => 3302,
            Self::Upload(_, fault) => match fault {
                UploadFault::NoPicture | UploadFault::PictureCutOff => 3300,
                UploadFault::TooLarge => 3301,
                UploadFault::NoRecording | UploadFault::RecordingCutOff | UploadFault::RecordingTooLarge => 400,
            },
            Self::PhoneTaken => 3400,
            Self::EmailTaken => 3401,
            Self::TicketTaken(_) | Self::NotInCart(_) | Self::KeyUsed => 409,
            Self::PaymentDeclined => 402,
            Self::PaymentUnknown => 503,
        }
    }

    /// What an operation that takes a picture refuses; `field` is the picture's name.
    pub const fn of_image(field: &'static str) -> [Self; 3] {
        [Self::ImageFormat(field), Self::ImageTooLarge(field), Self::ImageTooSmall(field)]
    }

    /// Shorthand for [`Refusal::Malformed`].
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::Malformed(message.into())
    }
}
