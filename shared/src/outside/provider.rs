use crate::domain::Refusal;
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Provider {
    Qq,
    WeChat,
    Weibo,
}
impl Provider {
    pub fn name(self) -> &'static str {
        "qq"
    }
}
pub struct Providers;
impl Providers {
    pub fn from_environment(_: &dyn Fn(&str) -> Option<String>) -> Self {
        Self
    }
    pub async fn prove(&self, _: Provider, _: &str, _: &str) -> Result<(), Refusal> {
        Err(Refusal::Unavailable)
    }
}
