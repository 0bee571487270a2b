//! Where the program meets files, brokers, the machine and the terminal.
