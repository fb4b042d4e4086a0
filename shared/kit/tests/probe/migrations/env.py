from msp_kit.migrations import run

run()
