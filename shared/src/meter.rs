//! What one request took of the services, and what it brought about: for its line in the log, at no call more.
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_runtime::{
    invocation_id::InvocationIdInterceptor, request_info::RequestInfoInterceptor, user_agent::UserAgentInterceptor,
};
use aws_sdk_dynamodb::{
    operation::{
        batch_get_item::{BatchGetItemInput, BatchGetItemOutput},
        batch_write_item::{BatchWriteItemInput, BatchWriteItemOutput},
        delete_item::{DeleteItemInput, DeleteItemOutput},
        put_item::{PutItemInput, PutItemOutput},
        query::{QueryInput, QueryOutput},
        transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput},
        update_item::{UpdateItemInput, UpdateItemOutput},
    },
    types::{ConsumedCapacity, ReturnConsumedCapacity},
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{
                AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
                BeforeTransmitInterceptorContextRef,
            },
            disable_interceptor, dyn_dispatch_hint,
        },
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;

tokio::task_local! {
    static TAKEN: Arc<Mutex<Taken>>;
}

/// What it took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    /// Calls of AWS's services, each try counted.
    pub calls: u32,
    /// The table's units, as it says itself.
    pub read_units: f64,
    pub write_units: f64,
    /// How often each of these came about.
    pub happened: BTreeMap<Happened, u32>,
}

/// What those who run it want to see counted; the name is the metric's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Happened {
    SignUps,
    Orders,
    PaymentsRefused,
    /// Money that is owed to a buyer and was not sent, each time that it was asked for.
    RefundsFailed,
    UploadsRefused,
    CodesSent,
}

/// Runs `work`, and says what it took. Work within work is counted by the innermost.
pub async fn metered<T>(work: impl Future<Output = T>) -> (T, Taken) {
    let taken = Arc::<Mutex<Taken>>::default();
    // Boxed, or the compiler would look through all that a function does at once.
    let done = TAKEN.scope(taken.clone(), Box::pin(work)).await;
    let taken = taken.lock().unwrap_or_else(PoisonError::into_inner).clone();
    (done, taken)
}

/// Notes that it came about. Nobody's business where nothing is metered.
pub fn happened(what: Happened) {
    note(|taken| *taken.happened.entry(what).or_default() += 1);
}

fn note(change: impl FnOnce(&mut Taken)) {
    let _ = TAKEN.try_with(|taken| change(&mut taken.lock().unwrap_or_else(PoisonError::into_inner)));
}

/// Counts a client's calls, and asks the table what each one consumed. Nothing is sent that tells the service of the SDK,
/// of this machine or of the try: nobody here reads it, and writing and signing it is a twentieth of a request's CPU.
#[derive(Debug)]
pub struct Counted;

/// What a call consumed, as one answer has it or as a list by table.
trait Consumed {
    fn units(&self) -> f64;
}

impl Consumed for Option<&ConsumedCapacity> {
    fn units(&self) -> f64 {
        self.and_then(ConsumedCapacity::capacity_units).unwrap_or_default()
    }
}

impl Consumed for &[ConsumedCapacity] {
    fn units(&self) -> f64 {
        self.iter().filter_map(ConsumedCapacity::capacity_units).sum()
    }
}

macro_rules! operations {
    ($($of:ident: $input:ident $output:ident)*) => {
        fn ask(input: &mut aws_smithy_runtime_api::client::interceptors::context::Input) {
            $(if let Some(input) = input.downcast_mut::<$input>() {
                input.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
                return;
            })*
        }

        fn count(output: &aws_smithy_runtime_api::client::interceptors::context::Output) {
            $(if let Some(output) = output.downcast_ref::<$output>() {
                let units = output.consumed_capacity().units();
                return note(|taken| taken.$of += units);
            })*
        }
    };
}

operations! {
    read_units: BatchGetItemInput BatchGetItemOutput
    read_units: QueryInput QueryOutput
    write_units: BatchWriteItemInput BatchWriteItemOutput
    write_units: DeleteItemInput DeleteItemOutput
    write_units: PutItemInput PutItemOutput
    write_units: TransactWriteItemsInput TransactWriteItemsOutput
    write_units: UpdateItemInput UpdateItemOutput
}

#[dyn_dispatch_hint]
impl Intercept for Counted {
    fn name(&self) -> &'static str {
        "Counted"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        const WHY: &str = "nobody reads it";
        config
            .interceptor_state()
            .store_put(disable_interceptor::<UserAgentInterceptor>(WHY))
            .store_put(disable_interceptor::<InvocationIdInterceptor>(WHY))
            .store_put(disable_interceptor::<RequestInfoInterceptor>(WHY));
        ask(context.input_mut());
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        note(|taken| taken.calls += 1);
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Ok(output) = context.output_or_error() {
            count(output);
        }
        Ok(())
    }
}
