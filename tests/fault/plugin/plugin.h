/* What test_plugin.c asks of a plugin: everything that it does with the library, so that nothing of the library is linked to who
 * loads it. */
#ifndef TESTS_FAULT_PLUGIN_H
#define TESTS_FAULT_PLUGIN_H

typedef struct plugin {
    int (*open)(const char *path);      /* a log with that file, the default from now on; a STEP_E... code */
    void (*say)(int writer, long number); /* put_record() to the default log, in two ways, so two lines */
    void (*tell)(void);                 /* an operation, all of whose texts are the plugin's own */
    int (*flush)(void);
    int (*is_balanced)(void); /* recorded = written + dropped + held */
    int (*close)(void);
} plugin_t;

/* Its one symbol: plugin. */
extern const plugin_t plugin;

#endif
