import Testing

/// Tests of the program itself, run as users run it: alone and under mpirun. They share the machine's cores and judge
/// times, so that one runs after the other.
@Suite(.serialized, .timeLimit(.minutes(5))) enum EndToEnd {}
