from tests.kit import loops

DIFFER = {"test_handshake", "test_ingress", "test_reader", "test_respond"}  # on transports, as each loop makes them


def pytest_asyncio_loop_factories(config, item):
    return loops.BOTH if item.path.stem in DIFFER else loops.SERVING
