//! Runs an emulator alone: `serve ADDR SPEED [SCENARIO] [NETWORK]`.
//!
//! SPEED is a number greater than zero, or `manual`; SCENARIO is the name of a built-in scenario
//! or the path of a file. With a NETWORK (127.N.0.0/16) recovery instances really listen there.

use std::error::Error;

use tidegate_emulator::model::Loopback;
use tidegate_emulator::{Emulator, EmulatorClock, Scenario, Settings};
use tokio::net::TcpListener;

#[tokio::main]
#[expect(
    clippy::print_stdout,
    reason = "the address is what whoever starts it waits for"
)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: serve ADDR SPEED|manual [SCENARIO] [NETWORK]";
    let address = arguments.next().ok_or(usage)?;
    let clock = clock(&arguments.next().ok_or(usage)?)?;
    let mut scenario = scenario(arguments.next().as_deref().unwrap_or(Scenario::names()[0]))?;
    if let Some(network) = arguments.next() {
        scenario = scenario.listening_on(Loopback::parse(&network)?);
    }
    let listener = TcpListener::bind(address).await?;
    let emulator = Emulator::new(Settings { scenario, clock });
    emulator.can_listen().map_err(|error| error.to_string())?;
    println!("listening on http://{}", listener.local_addr()?);
    let interrupted = async {
        // Without signals it serves until it is killed, which is as good an end.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tidegate_emulator::serve(listener, emulator, interrupted).await?;
    Ok(())
}

fn clock(text: &str) -> Result<EmulatorClock, Box<dyn Error>> {
    if text == "manual" {
        return Ok(EmulatorClock::Manual);
    }
    let speed: f64 = text.parse()?;
    if speed.is_finite() && speed > 0.0 {
        Ok(EmulatorClock::Scaled { speed })
    } else {
        Err("SPEED must be greater than zero".into())
    }
}

fn scenario(name: &str) -> Result<Scenario, Box<dyn Error>> {
    match Scenario::built_in(name) {
        Some(scenario) => Ok(scenario),
        None => Ok(Scenario::from_file(name)?),
    }
}
