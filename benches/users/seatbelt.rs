use std::time::Duration;

use client::{ApiError, Client};
use layered::{Execute, Service, Stack};
use seatbelt::{RecoveryInfo, ResilienceContext, retry::Retry, timeout::Timeout};
use tick::Clock;

mod client;

static CLIENT: Client = Client { salt: 7 };

#[tokio::main]
async fn main() {
    let context = ResilienceContext::new(Clock::new_tokio());
    let timeout = Timeout::layer("timeout", &context)
        .timeout_error(|_| ApiError::TimedOut)
        .timeout(Duration::from_secs(2));
    let retry = Retry::layer("retry", &context).clone_input().recovery_with(
        |answer: &Result<u64, ApiError>, _| match answer {
            Err(error) if error.is_transient() => RecoveryInfo::retry(),
            _ => RecoveryInfo::never(),
        },
    );
    let service = (timeout, retry, Execute::new(|id| CLIENT.get(id))).into_service();
    println!("{:?}", service.execute(1).await);
}
