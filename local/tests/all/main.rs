mod account;
mod support;
