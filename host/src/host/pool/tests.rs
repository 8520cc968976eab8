//! How large pools are made for what the file asks for and the machine has.

use super::*;

const LINUX: Machine = Machine {
    mappings: Some(65_530),
    address_space: None,
};

fn wanted(configured: u32, max_guests: Option<u32>) -> PoolDemand {
    wanted_of(configured, max_guests, Crowd::ONE)
}

fn wanted_of(configured: u32, max_guests: Option<u32>, each: Crowd) -> PoolDemand {
    PoolDemand {
        started: Crowd {
            guests: configured,
            memories: each.memories * u64::from(configured),
            tables: each.tables * u64::from(configured),
        },
        sure: configured.max(max_guests.unwrap_or_default()),
        at_most: max_guests.unwrap_or(configured.saturating_mul(2).max(SMALLEST_POOL)),
        largest: each,
        limits: Limits::default(),
    }
}

fn of(configured: u32, max_guests: Option<u32>) -> (EngineConfig, Option<TooManyGuests>) {
    setup(&RuntimeSection::default(), &wanted(configured, max_guests), &LINUX)
}

fn pool(config: &EngineConfig) -> u32 {
    match config.allocation {
        Allocation::Pool { guests } => guests,
        Allocation::OnDemand => 0,
    }
}

#[test]
fn a_pool_has_room_for_more_than_is_configured() {
    for (configured, max_guests, expected) in [
        (0, None, 1000),
        (3, None, 1000),
        (600, None, 1200),
        (3, Some(5), 5),
        (3, Some(5000), 5000),
        (9000, None, 9556),
    ] {
        let (config, too_many) = of(configured, max_guests);
        assert_eq!(pool(&config), expected, "{configured} {max_guests:?}");
        assert!(config.copy_on_write);
        assert_eq!(too_many, None);
        // Ordinary guests make no pool larger.
        let shared = (config.max_memories, config.max_tables);
        assert_eq!(shared, (Some(3 * expected), Some(8 * expected)));
    }
}

#[test]
fn a_pool_is_made_for_what_its_guests_need() {
    let each = Crowd {
        guests: 1,
        memories: 5,
        tables: 31,
    };
    let (config, too_many) = setup(&RuntimeSection::default(), &wanted_of(600, Some(600), each), &LINUX);
    assert_eq!((pool(&config), too_many), (600, None));
    assert_eq!((config.max_memories, config.max_tables), (Some(3000), Some(18_600)));
    // With twice their number for children and for new code in their place.
    let (config, _) = setup(&RuntimeSection::default(), &wanted_of(600, None, each), &LINUX);
    assert_eq!((config.max_memories, config.max_tables), (Some(6000), Some(37_200)));
}

#[test]
fn fewer_guests_of_many_memories_fit() {
    let each = Crowd {
        guests: 1,
        memories: 10,
        tables: 1,
    };
    let (config, too_many) = setup(&RuntimeSection::default(), &wanted_of(4000, None, each), &LINUX);
    assert_eq!(pool(&config), 2606);
    let text = too_many.map(|too_many| too_many.to_string()).unwrap_or_default();
    assert!(
        text.contains("only about 2606 fit") && text.contains("a guest takes 22"),
        "{text}"
    );
}

#[test]
fn a_file_that_reserves_too_little_for_its_own_guests_is_told_how_much() {
    let each = Crowd {
        guests: 1,
        memories: 2,
        tables: 3,
    };
    let runtime = RuntimeSection {
        max_tables: Some(1799),
        ..RuntimeSection::default()
    };
    let wanted = wanted_of(600, None, each);
    let error = wanted.check(&runtime).unwrap_err().to_string();
    assert!(
        error.starts_with(
            "the guests of [[actors]] have 1800 tables together when they start, and `max_tables` under [runtime] is 1799"
        ),
        "{error}"
    );
    let runtime = RuntimeSection {
        max_tables: Some(1800),
        max_memories: Some(1200),
        ..RuntimeSection::default()
    };
    assert_eq!(wanted.check(&runtime), Ok(()));
}

#[test]
fn many_guests_share_no_pages() {
    let (config, too_many) = of(10_000, None);
    assert!(!config.copy_on_write);
    assert_eq!((pool(&config), too_many), (14_334, None));
}

#[test]
fn more_guests_than_fit_are_told_of() {
    let (config, too_many) = of(20_000, None);
    assert_eq!(pool(&config), 14_334);
    let text = too_many.map(|too_many| too_many.to_string()).unwrap_or_default();
    assert_eq!(
        text,
        "20000 guests are configured, and only about 14334 fit, so that those beyond will not start: a process can have \
         65530 memory mappings here, and a guest takes 4; `sysctl -w vm.max_map_count=131060` makes room for twice as \
         many"
    );
    assert!(of(3, Some(20_000)).1.is_some());
}

#[test]
fn the_file_decides() {
    let runtime = RuntimeSection {
        cache_bytes: Some(5 << 20),
        memory_reservation: Some(1 << 30),
        table_reservation: Some(1000),
        instance_bytes: Some(1 << 20),
        max_memories: Some(40_000),
        max_tables: Some(50_000),
        stack_bytes: Some(1 << 20),
        component_bytes: Some(1 << 20),
        source_bytes: Some(1 << 16),
        tiered_compilation: Some(true),
        epoch_tick: Some(std::time::Duration::from_millis(2)),
        copy_on_write: Some(true),
        ..RuntimeSection::default()
    };
    let (config, too_many) = setup(&runtime, &wanted(10_000, None), &LINUX);
    assert_eq!(
        config,
        EngineConfig {
            cache_dir: None,
            cache_key: None,
            cache_bytes: 5 << 20,
            epoch_tick: std::time::Duration::from_millis(2),
            allocation: Allocation::Pool { guests: 9556 },
            memory_reservation: 1 << 30,
            table_reservation: 1000,
            max_memories: Some(40_000),
            max_tables: Some(50_000),
            instance_bytes: 1 << 20,
            stack_bytes: 1 << 20,
            component_bytes: 1 << 20,
            source_bytes: 1 << 16,
            compilation: Compilation::TIERED,
            copy_on_write: true,
            name_servers: Vec::new(),
            complexity: crate::guest::Complexity::default(),
            description_limits: Limits::default(),
        }
    );
    assert!(too_many.is_some());
}

#[test]
fn what_the_limits_of_actors_allow_is_reserved() {
    let limits = Limits {
        memory_bytes: (100 << 20) + 1,
        table_elements: 150_000,
        ..Limits::default()
    };
    let config = without_pool(&RuntimeSection::default(), &limits);
    assert_eq!(config.memory_reservation, (100 << 20) + (64 << 10));
    assert_eq!(config.table_reservation, 150_000);
    let small = Limits {
        memory_bytes: 1,
        table_elements: 1,
        ..Limits::default()
    };
    let config = without_pool(&RuntimeSection::default(), &small);
    assert_eq!(
        (config.memory_reservation, config.table_reservation),
        (64 << 20, 100_000)
    );
}
