#include "reports/chart/chart.h"
#include <stdio.h>
bool chart_at(const struct findings *f, size_t index, struct chart_ref *r){ if(index<f->chart_count){*r=(struct chart_ref){CHART_TIMELINE,index};return true;} return false;}
char *chart_name(const struct findings *f, struct chart_ref c, char out[CHART_NAME_SIZE]){(void)f;snprintf(out,CHART_NAME_SIZE,"timeline-%zu",c.index);return out;}
void chart_write(struct html *h,const struct findings *f,const struct language *l,struct chart_ref c,bool s){(void)f;(void)l;(void)c;(void)s;html_begin(h,"svg");html_attr(h,"role","img");html_attr(h,"viewBox","0 0 10 10");html_element(h,"title",NULL,"placeholder");html_end(h);}
void chart_title(struct buffer *o,const struct findings *f,const struct language *l,struct chart_ref c){(void)f;(void)l;(void)c;buffer_append_text(o,"A picture");}
void chart_description(struct buffer *o,const struct findings *f,const struct language *l,struct chart_ref c){(void)f;(void)l;(void)c;buffer_append_text(o,"A description.");}
